/** The hub as a library: build one, mount it into an Express app, or let it listen. */
export type { CreateHubOptions, MountedHub } from "./createHub.ts";
export { createHub } from "./createHub.ts";
