const here = import.meta.url;

/** Threads always start from the built file, even when the hub runs from its sources: each is one file with all it needs. */
export const builtFile = (name: string) =>
  new URL(here.endsWith(".ts") ? `../../../../dist/server/store/sqlite/thread/${name}` : `./${name}`, here);
