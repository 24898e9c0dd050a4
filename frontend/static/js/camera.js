// A live view of the camera with a guide frame, and over it, if the reader asks for it, the last saved photo, to find the same
// spot again. Where the page may not have the camera, it says what to do and offers the file chooser.

import { savedReports } from "./saved-reports.js";

const dialog = document.getElementById("camera");
const video = document.getElementById("finder");
const shutter = document.getElementById("shutter");
const button = document.getElementById("live");
const refused = document.getElementById("camera-refused");
const ghost = document.getElementById("ghost");
const ghostBox = document.getElementById("ghost-wanted");

const WANTED = { video: { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1440 } } };
const QUALITY = 0.95;

// Calls `take` with each photo as a File.
export function offerCamera(take) {
  if (!navigator.mediaDevices?.getUserMedia) return;
  button.hidden = false;
  button.addEventListener("click", open);
  shutter.addEventListener("click", async () => {
    const file = await captureFrame();
    dialog.close();
    if (file) take(file);
  });
  document.getElementById("camera-close").addEventListener("click", () => dialog.close());
  document.getElementById("choose-instead").addEventListener("click", () => document.getElementById("photo").click());
  ghostBox.addEventListener("change", () => { ghost.hidden = !ghostBox.checked; });
  dialog.addEventListener("close", stop);
  // The camera is off while its view is hidden.
  document.addEventListener("visibilitychange", () => { if (document.hidden) dialog.close(); });
}

let asking = false; // The browser asks for permission. A disabled button would lose the focus.

async function open() {
  if (asking) return;
  asking = true;
  hideRefusal();
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia(WANTED);
    dialog.showModal();
    offerGhost();
  } catch (error) {
    showRefusal(error.name);
  } finally {
    asking = false;
  }
}

// A chooser that opened by itself would need a press of its own: browsers forget this one while they ask.
function showRefusal(reason) {
  const what = { NotAllowedError: "denied", NotFoundError: "missing" }[reason] ?? "failed";
  refused.hidden = false;
  refused.querySelector("p").textContent = refused.dataset[what];
  refused.querySelector("button").focus();
}

export function hideRefusal() {
  if (refused.contains(document.activeElement)) document.getElementById("photo").focus();
  refused.hidden = true;
}

// The last saved photo, where there is one.
async function offerGhost() {
  if (ghost.src) return;
  let photo;
  try {
    photo = (await savedReports()).find((report) => report.photo)?.photo;
  } catch {
    return; // This browser keeps nothing.
  }
  if (!photo) return;
  ghost.src = URL.createObjectURL(photo);
  ghostBox.closest("label").hidden = false;
}

function stop() {
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
}

async function captureFrame() {
  if (!video.videoWidth) return null;
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  const jpeg = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", QUALITY); });
  return jpeg && new File([jpeg], "camera.jpg", { type: "image/jpeg" });
}
