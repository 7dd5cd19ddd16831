"use strict";

const all = document.getElementById("all");
const sliders = document.querySelectorAll(".pair input");

function show(slider) {
  slider.parentElement.style.setProperty("--at", `${slider.value}%`);
  slider.setAttribute("aria-valuetext", `${slider.value} % before`);
}

for (const slider of sliders) {
  slider.addEventListener("input", () => show(slider));
  show(slider);
}

all.addEventListener("input", () => {
  for (const slider of sliders) {
    slider.value = all.value;
    show(slider);
  }
});
