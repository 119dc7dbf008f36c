/** Chains as the ledger keeps them: where a new message belongs, whether it may continue one, and more hops. */

import type { HubError } from "../../../shared/errors.ts";
import type { Bounds } from "../../../shared/limits.ts";
import { noChain } from "../../../shared/refusals.ts";
import { BEGINS, type ChainPosition, isLink, loopStopped, positionAfter } from "../../core/chain.ts";
import type { NewMessage } from "../../core/create.ts";
import type { MessageState } from "../../core/message.ts";
import type { Ledger } from "./ledger.ts";

/** The position of a new message. If what it answers is gone, or was never here, it begins a chain. */
export function positionOf(ledger: Ledger, { reply_to, parent_id }: NewMessage): ChainPosition {
  if (reply_to === undefined && parent_id === undefined) return BEGINS;
  const named = [reply_to, parent_id].filter((id) => id !== undefined);
  return positionAfter(
    named.map((id) => ledger.message(id)).filter((state): state is MessageState => state !== undefined),
  );
}

/** Why an exchange may not go on to this position; undefined: it may. */
export function loopRefusal(ledger: Ledger, position: ChainPosition, { chain_hops }: Bounds): HubError | undefined {
  if (!isLink(position) || position.hops <= chain_hops) return undefined;
  const limit = Math.max(chain_hops, ledger.liftedTo(position.chain_id) ?? 0);
  return position.hops > limit ? loopStopped(position, limit) : undefined;
}

/**
 * Allows an exchange `more` hops from where it stands; never lowers what it is allowed.
 *
 * @param id of the chain, or of any message in it.
 * @returns the chain as JSON, as the operation shows it.
 * @throws HubError `not_found` when there is no such chain.
 */
export function lift(ledger: Ledger, id: string, { chain_hops }: Bounds, more = chain_hops): string {
  const message = ledger.message(id);
  const chain_id = message?.chain_id ?? id;
  const hops = ledger.hopsOf(chain_id) ?? (message ? 0 : undefined);
  if (hops === undefined) throw noChain(chain_id);
  const limit = Math.max(chain_hops, ledger.liftedTo(chain_id) ?? 0, hops + more);
  ledger.lift(chain_id, limit);
  return JSON.stringify({ chain_id, hops, limit });
}
