"use strict";
const dialog = document.querySelector("dialog");
const tiles = [...document.querySelectorAll(".tile")];
let current = 0;
function show(number) {
  current = (number + tiles.length) % tiles.length;
  const tile = tiles[current];
  const images = dialog.querySelectorAll("img");
  images[0].src = tile.dataset.plain;
  images[0].alt = tile.dataset.text;
  images[1].src = tile.querySelector("img").src;
  images[1].alt = tile.dataset.map;
  images[1].hidden = !tile.dataset.map;
  dialog.querySelector("p").textContent = tile.dataset.text;
}
if (dialog) {
  tiles.forEach((tile, number) => tile.addEventListener("click", () => { show(number); dialog.showModal(); }));
  dialog.querySelector(".before").addEventListener("click", () => show(current - 1));
  dialog.querySelector(".after").addEventListener("click", () => show(current + 1));
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => tiles[current].focus());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") show(current - 1);
    if (event.key === "ArrowRight") show(current + 1);
  });
}
