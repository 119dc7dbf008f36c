/** Why nothing can be read or written at the moment. */
import { HubError } from "../../../shared/errors.ts";

const storageUnavailable = (what: string) => new HubError("storage_unavailable", `The hub's database ${what}`);

export const unavailable = (why: string) => storageUnavailable(`cannot be used at the moment (${why})`);

export const busy = () => unavailable("another program is writing to its database");

export const fileReplaced = () =>
  unavailable(
    "its file, or the write-ahead log beside it, was removed or replaced while the hub was using it: restart the hub",
  );

export const threadEnded = () => storageUnavailable("failed: repeat in a moment");

export const storeClosed = () => storageUnavailable("is closed");

export const full = () => new HubError("storage_full", "The hub's disk is full: nothing was changed");

export const lostEntries = () => new Error("it has lost entries: the hub must be restarted");
