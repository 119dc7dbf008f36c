import { fileURLToPath } from "node:url";

const here = import.meta.url;

/** The root of the repository, as an absolute path with a slash at its end; from the source and from the build. */
export const repository = fileURLToPath(new URL(here.endsWith(".ts") ? "../../" : "../../../", here));
