const here = import.meta.url;

/** A file below `dist/`, from the source and from the build: what starts in a process of its own is always built. */
export const built = (path: string) => new URL(`${here.endsWith(".ts") ? "../../../dist/" : "../../../"}${path}`, here);
