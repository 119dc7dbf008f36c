/** A process that does nothing but measure itself: what the machine, not the hub, does to an event loop. */
import "./probe.ts";

setInterval(() => {}, 1_000);
process.on("disconnect", () => process.exit(0));
