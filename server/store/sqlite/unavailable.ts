/** Why nothing can be read or written at the moment. */
import { HubError } from "../../../shared/errors.ts";

export const lostEntries = () => new Error("it has lost entries: the hub must be restarted");

export const bereft = () =>
  unavailable(
    "its file, or the write-ahead log beside it, was removed or replaced while the hub was using it: restart the hub",
  );

export const busy = () => unavailable("another program is writing to its database");

export const unavailable = (why: string) =>
  new HubError("storage_unavailable", `The hub's database cannot be used at the moment (${why})`);

export const full = () => new HubError("storage_full", "The hub's disk is full: nothing was changed");
