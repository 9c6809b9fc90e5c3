/** A room to try with, drawn by the page itself: a wall, a floor, a window, a sofa, a lamp. */

/** Resolves to a PNG file. */
export async function drawnRoom() {
  const canvas = document.createElement("canvas");
  canvas.width = 768;
  canvas.height = 576;
  const pen = canvas.getContext("2d");
  const fill = (colour, ...box) => {
    pen.fillStyle = colour;
    pen.fillRect(...box);
  };
  fill("#d8d0c4", 0, 0, 768, 400);
  fill("#8b6b4a", 0, 400, 768, 176);
  fill("#f4f0e8", 80, 72, 232, 232);
  fill("#a9c8e8", 92, 84, 100, 208);
  fill("#a9c8e8", 200, 84, 100, 208);
  fill("#30508c", 368, 300, 320, 72);
  fill("#3a5c9c", 352, 364, 352, 96);
  fill("#26406f", 352, 340, 40, 120);
  fill("#26406f", 664, 340, 40, 120);
  fill("#2a2622", 312, 212, 8, 236);
  pen.fillStyle = "#e9c98a";
  pen.beginPath();
  pen.moveTo(280, 220);
  pen.lineTo(300, 148);
  pen.lineTo(332, 148);
  pen.lineTo(352, 220);
  pen.fill();
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return new File([blob], "drawn-room.png", { type: "image/png" });
}
