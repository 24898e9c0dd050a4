// Whether a file is a photo that the server takes, by its first bytes: `_format` of backend/analyses/photos.py once more.
// Its type is only what its name says, and a text can be called photo.jpg.

const HEAD_BYTES = 256;
const HEIC_BRANDS = new Set(["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"]);

export async function isPhoto(file) {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const text = (start, end) => String.fromCharCode(...head.subarray(start, end));
  if (text(0, 3) === "\xff\xd8\xff" || text(0, 8) === "\x89PNG\r\n\x1a\n") return true;
  if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP") return true;
  if (text(0, 2) === "BM" && text(15, 18) === "\0\0\0") return true;
  if (text(4, 8) !== "ftyp") return false;
  const end = Math.min(new DataView(head.buffer).getUint32(0), head.length);
  for (let at = 8; at < end; at += 4) if (HEIC_BRANDS.has(text(at, at + 4))) return true;
  return false;
}
