// From the index to the erasure with openapi-fetch and the types that openapi-typescript generates.

import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [url, path] = process.argv.slice(2) as [string, string];
const photo = readFileSync(path);
const { GET, POST, DELETE } = createClient<paths>({ baseUrl: url, headers: { "Accept-Language": "en" } });
type Analysis = components["schemas"]["AnalysisSchema"];

const start = (await GET("/api/v1/")).data;
assert(start);
assert(photo.length < start.limits.photo_max_bytes);
console.log(`${start.name} ${start.version}; consent of ${start.consent.version}`);

const submitted = await POST("/api/v1/analyses/", {
  body: { photo: "", sex: "female", age: "30s", consent: "true" },
  bodySerializer: (answers) => {
    const form = new FormData();
    for (const [field, value] of Object.entries(answers)) form.set(field, value);
    form.set("photo", new Blob([photo], { type: "image/jpeg" }), "scalp.jpg");
    return form;
  },
});
let analysis: Analysis | undefined = submitted.data;
assert(analysis, submitted.error?.detail);
const address = { path: { analysis_id: analysis.id } };
while (analysis && (analysis.status === "queued" || analysis.status === "running")) {
  const poll = { params: { ...address, header: { Prefer: "wait=20" } } };
  analysis = (await GET("/api/v1/analyses/{analysis_id}/", poll)).data;
}
assert(analysis?.result);
const { report, judgment, findings, type_label, degree } = analysis.result;
console.log(`${report.headline}: ${judgment.signs.length} signs, type ${type_label}, degree ${degree}`);
assert.equal(analysis.age, "30s");
assert(analysis.photo_url);
assert.equal((await fetch(new URL(analysis.photo_url, url))).headers.get("Content-Type"), "image/jpeg");

const symptom = findings[0]!.symptom;
const opinion = { params: address, body: { symptom, opinion: "more" as const } };
assert.equal((await POST("/api/v1/analyses/{analysis_id}/feedback/", opinion)).response.status, 204);
assert((await POST("/api/v1/analyses/{analysis_id}/share/", { params: address })).data?.url);
const exported = (await GET("/api/v1/analyses/{analysis_id}/export/", { params: address })).data;
assert.equal(exported?.feedback[0]?.symptom, symptom);

assert.equal((await DELETE("/api/v1/analyses/{analysis_id}/", { params: address })).response.status, 204);
const gone = (await GET("/api/v1/analyses/{analysis_id}/", { params: address })).error;
assert.equal(gone?.code, "analysis_erased");
console.log(`Erased: ${gone.detail}`);
