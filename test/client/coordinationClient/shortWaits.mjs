/** Loaded before an example of the document: makes its waits of whole seconds short, without a change in its code. */
const WAITS_MS = new Set([1_000, 2_000, 5_000, 10_000]);
const { setTimeout } = globalThis;

globalThis.setTimeout = (run, ms, ...rest) => setTimeout(run, WAITS_MS.has(ms) ? 20 : ms, ...rest);
