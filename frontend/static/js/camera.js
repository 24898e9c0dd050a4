// A live view of the camera with a guide frame, where the page may have it. Where not, whoever pressed the button gets
// the device's own camera or its file chooser, without a word.

const dialog = document.getElementById("camera");
const video = document.getElementById("finder");
const shutter = document.getElementById("shutter");
const button = document.getElementById("live");
const capture = document.getElementById("capture");

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
  dialog.addEventListener("close", stop);
  // A camera that nobody looks through is off.
  document.addEventListener("visibilitychange", () => { if (document.hidden) dialog.close(); });
}

let asking = false; // The browser asks for permission. A disabled button would lose the focus.

async function open() {
  if (asking) return;
  asking = true;
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia(WANTED);
    dialog.showModal();
  } catch {
    button.hidden = true;
    document.getElementById("photo").focus();
    capture.click();
  } finally {
    asking = false;
  }
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
