const here = import.meta.url;

/** Threads always start from the built file, even when the hub runs from its sources. */
export const builtFile = (name: string) =>
  new URL(here.endsWith(".ts") ? `../../../../dist/server/store/sqlite/thread/${name}` : `./${name}`, here);
