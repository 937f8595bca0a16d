import type { Measured } from "./measure.ts";

const width = 760;
const height = 420;
const left = 56;
const right = 24;
const top = 56;
const bottom = 48;
const colours = ["#1b6ca8", "#c0392b", "#7f8c8d", "#d68910", "#6c3483"];

/**
 * Draws how many of the revoked tokens any API still accepted, over the time since the acknowledgement. A dashed line
 * is the computed bound of the curve with the same colour.
 *
 * @example await writeFile("docs/staleness.svg", plot(measured))
 */
export function plot(measured: readonly Measured[]): string {
  const longest = Math.max(...measured.flatMap(({ scenario, staleness }) => [scenario.bound, ...staleness])) * 1.04;
  const x = (milliseconds: number): number => left + (milliseconds / longest) * (width - left - right);
  const y = (share: number): number => top + (1 - share) * (height - top - bottom);
  const seconds = Math.max(1, Math.round(longest / 1000 / 12));
  const ticks = Array.from({ length: Math.floor(longest / 1000 / seconds) + 1 }, (_, index) => index * seconds);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...ticks.map((second) => {
      const at = round(x(second * 1000));
      return (
        `<path d="M${at} ${top}V${height - bottom}" stroke="#e5e7e9"/>` +
        `<text x="${at}" y="${height - bottom + 18}" text-anchor="middle">${second} s</text>`
      );
    }),
    ...[0, 0.25, 0.5, 0.75, 1].map(
      (share) =>
        `<path d="M${left} ${round(y(share))}H${width - right}" stroke="#e5e7e9"/>` +
        `<text x="${left - 8}" y="${round(y(share)) + 4}" text-anchor="end">${share * 100} %</text>`,
    ),
    `<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">since the revocation was acknowledged</text>`,
    `<text x="${left}" y="18" font-weight="bold">revoked tokens that some API still accepts</text>`,
    ...measured.map((one, index) => curve(one, colours[index % colours.length] ?? "#000000", index, x, y)),
    "</svg>",
    "",
  ].join("\n");
}

function curve(
  { scenario, staleness }: Measured,
  colour: string,
  index: number,
  x: (milliseconds: number) => number,
  y: (share: number) => number,
): string {
  const steps = staleness.map((one, at) => `H${round(x(one))}V${round(y(1 - (at + 1) / staleness.length))}`);
  const bound = round(x(scenario.bound) + index);
  const legend = left + index * 175;
  return (
    `<path d="M${left} ${round(y(1))}${steps.join("")}" fill="none" stroke="${colour}" stroke-width="2"/>` +
    `<path d="M${bound} ${top}V${height - bottom}" stroke="${colour}" stroke-dasharray="5 4"/>` +
    `<rect x="${legend}" y="32" width="12" height="12" fill="${colour}"/><text x="${legend + 17}" y="42">${scenario.name}</text>`
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
