/** Pruning a store under test, portion by portion. */

import type { PruneReport } from "../../../server/store/outcomes.ts";
import type { PruneCommand } from "../../../server/store/storeCommands.ts";
import type { StoreDriver } from "./driver.ts";

const KEEP: PruneCommand = {
  op: "prune",
  complete_before: null,
  failed_before: null,
  log_before: null,
  max_bytes: null,
  keys_after: null,
  seen_before: null,
  history_before: null,
  max_instances: null,
};

/** Prunes one portion; what the policy does not name is kept. */
export async function prune(hub: StoreDriver, policy: Partial<PruneCommand>): Promise<PruneReport> {
  const { json } = await hub.outcome({ ...KEEP, ...policy });
  return JSON.parse(json);
}

/** Prunes until nothing is left to prune. @returns what each portion did. */
export async function pruneAll(hub: StoreDriver, policy: Partial<PruneCommand>): Promise<PruneReport[]> {
  const reports = [await prune(hub, policy)];
  while (reports.at(-1)?.more) reports.push(await prune(hub, policy));
  return reports;
}
