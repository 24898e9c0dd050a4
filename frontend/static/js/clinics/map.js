// All clinics on a map, near ones in clusters. Leaflet and its clusters are scripts of their own, `L`.

import { createCard } from "./card.js";

const KOREA = [[33, 124.6], [38.7, 131.9]];
const CLOSEST = 18;
const PIN = L.divIcon({ className: "pin", html: "<i></i>", iconSize: [48, 48] });

export class ClinicMap {
  // `moved` is called whenever another part of the map is in view.
  constructor(element, moved) {
    this.map = L.map(element, {
      minZoom: 5, maxZoom: CLOSEST, zoomSnap: 1, attributionControl: Boolean(element.dataset.tiles),
      maxBounds: [[30, 118], [42, 138]],
    }).fitBounds(KOREA);
    if (element.dataset.tiles) {
      L.tileLayer(element.dataset.tiles, { maxZoom: CLOSEST, attribution: element.dataset.attribution }).addTo(this.map);
    }
    L.control.scale({ imperial: false }).addTo(this.map);
    this.clusters = L.markerClusterGroup({
      iconCreateFunction: (cluster) => {
        const count = cluster.getChildCount();
        const size = 40 + 8 * Math.floor(Math.log10(count));
        return L.divIcon({ className: "cluster", html: String(count), iconSize: [size, size] });
      },
      // Those at one address fan out instead of hiding each other.
      spiderfyOnMaxZoom: true, zoomToBoundsOnClick: true, showCoverageOnHover: false, maxClusterRadius: 60,
      animate: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    });
    // One popup for all: 20,000 of them would take longer to make than the map to draw.
    this.clusters.bindPopup(({ clinic }) => createCard(clinic), { minWidth: 240, maxWidth: 300 });
    this.map.addLayer(this.clusters);
    this.map.on("moveend", moved);
    this.markers = new Map();
  }

  show(clinics) {
    this.clusters.clearLayers();
    this.clusters.addLayers(clinics.map((clinic) => this.marker(clinic)));
  }

  marker(clinic) {
    let marker = this.markers.get(clinic.id);
    if (!marker) {
      marker = L.marker([clinic.latitude, clinic.longitude], { icon: PIN, title: clinic.name, alt: clinic.name });
      marker.clinic = clinic;
      this.markers.set(clinic.id, marker);
    }
    return marker;
  }

  inView(clinics) {
    const view = this.map.getBounds();
    const [south, west, north, east] = [view.getSouth(), view.getWest(), view.getNorth(), view.getEast()];
    return clinics.filter(({ latitude, longitude }) => (
      latitude >= south && latitude <= north && longitude >= west && longitude <= east));
  }

  go(place, zoom = 14) {
    this.map.setView([place.latitude, place.longitude], zoom);
  }
}
