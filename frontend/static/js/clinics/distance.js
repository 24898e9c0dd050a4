// How far it is, in kilometers along a great circle (haversine; R. W. Sinnott, Sky and Telescope 68, 1984).

const EARTH = 6371;
const radians = (degrees) => (degrees * Math.PI) / 180;

export function kilometers(from, to) {
  const half = (a, b) => Math.sin(radians(b - a) / 2) ** 2;
  const h = half(from.latitude, to.latitude)
    + Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude)) * half(from.longitude, to.longitude);
  return 2 * EARTH * Math.asin(Math.min(1, Math.sqrt(h)));
}

export const distanceWords = (km) => (km < 1 ? `${Math.max(10, Math.round(km * 100) * 10)} m` : `${km < 10 ? km.toFixed(1) : Math.round(km)} km`);
