import { closeSync, openSync } from "node:fs";

/** Makes an empty file that only its owner can open. @throws Error EEXIST when it is there already. */
export const createPrivateFile = (file: string) => closeSync(openSync(file, "wx", 0o600));
