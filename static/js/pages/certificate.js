/** The badge, and behind it how every gradient on the page was checked. */

import { byId, make, setText } from "../lib/dom.js";
import { error, number } from "../lib/format.js";

/**
 * @typedef {{objective: string, status: string, worst: number | null, tolerance: number, checked_losses: number, all_losses: number, note: string,
 *   blocks: {block: string, analytic: number, complex_step: number, relative_error: number}[],
 *   witness: {name: string, block: string, relative_error: number} | null}} Certificate
 */

/** Says that the check of what is shown has not come yet. */
export function awaitCertificate() {
  const badge = byId("badge");
  badge.dataset.status = "";
  setText(badge, "checking\u2026");
}

/** Says that what is shown has not been checked. */
export function noCertificate() {
  const badge = byId("badge");
  badge.dataset.status = "";
  setText(badge, "not checked");
}

/**
 * Shows the two certificates of an answer of `/api/v1/certificate`.
 * @param {{certificate: Certificate | null, certificate_full: Certificate | null, sentence: string}} answer
 */
export function showCertificate({ certificate, certificate_full: full, sentence }) {
  const badge = byId("badge");
  const both = [certificate, full].filter((one) => one !== null);
  const worse = both.find((one) => one.status !== "passed") ?? both[0];
  const worst = Math.max(...both.map((one) => one.worst ?? NaN));
  badge.dataset.status = worse.status;
  setText(badge, worse.status === "passed" ? `certified, ${error(worst)}` : worse.status === "failed" ? "not certified" : "not finite: not checked");
  const shown = both.filter((one, index) => index === 0 || one.objective !== both[0].objective); // full BPTT is checked once
  byId("certificate-body").replaceChildren(make("p", {}, sentence), ...shown.map(block));
  return badge.textContent ?? "";
}

/** @param {Certificate} certificate */
function block(certificate) {
  const rows = certificate.blocks.map((b) => make("tr", {}, make("td", {}, b.block),
    ...[b.analytic, b.complex_step, b.relative_error].map((value) => make("td", {}, number(value)))));
  const columns = ["block", "our derivative", "complex step", "relative error"];
  return make("section", {}, make("h2", {}, certificate.objective),
    make("p", {}, `${certificate.note} Checked losses: ${certificate.checked_losses} of ${certificate.all_losses}. Tolerance ${error(certificate.tolerance)}.`),
    witness(certificate),
    make("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": `Checks of ${certificate.objective}` }, make("table", {},
      make("thead", {}, make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)))), make("tbody", {}, ...rows))));
}

/** @param {Certificate} certificate */
function witness({ witness: second }) {
  return second && make("p", {}, `${second.name} agrees to ${error(second.relative_error)} on ${second.block}: the same gradient, computed forward in time.`);
}
