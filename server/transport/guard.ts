/**
 * Who may talk to the hub at all, while there are no tokens: the hub's own machine; with `open`, a network that
 * its owner trusts. `Host` is checked against DNS rebinding, `Origin` against pages of strangers.
 */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { HubError } from "../../shared/errors.ts";
import { isLoopback } from "../hub/caller/origin.ts";

interface GuardOptions {
  /** Whether callers from other machines are let in. */
  open: boolean;
  /** Host names, besides loopback ones, under which the hub may be addressed. */
  allowHosts: readonly string[];
}

export class Guard {
  readonly #open: boolean;
  readonly #names: ReadonlySet<string>;

  constructor({ open, allowHosts }: GuardOptions) {
    this.#open = open;
    this.#names = new Set(["localhost", ...allowHosts.map((name) => name.toLowerCase())]);
  }

  /**
   * Lets a request pass.
   *
   * @throws HubError `tokens_required`, `forbidden_host` or `forbidden_origin`.
   */
  check(request: IncomingMessage): void {
    const peer = request.socket.remoteAddress ?? "";
    if (!this.#open && !isLoopback(peer)) {
      throw new HubError(
        "tokens_required",
        "This hub talks only to its own machine: start it with --open to let others in",
      );
    }
    const host = hostName(request.headers.host);
    if (host === undefined || !this.#allows(host)) {
      throw new HubError(
        "forbidden_host",
        `This hub is not known as ${host ?? "(no host)"}: allow it with --allow-host`,
      );
    }
    this.#checkOrigin(request);
  }

  #checkOrigin({ headers }: IncomingMessage): void {
    const { origin } = headers;
    if (origin === undefined) return;
    if (origin === `http://${headers.host}` || origin === `https://${headers.host}`) return;
    throw new HubError("forbidden_origin", `Pages of ${origin} may not talk to this hub`);
  }

  /** Loopback addresses and known names always; other addresses, which no page can rebind, when open. */
  #allows(host: string): boolean {
    if (this.#names.has(host)) return true;
    return isIP(host) !== 0 && (this.#open || isLoopback(host));
  }
}

/** Whether this is a name or an address as `Host` has it, without port and brackets. */
export const isHostName = (name: string): boolean => isIP(name) !== 0 || /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(name);

const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?$/;

/** The name or address of a Host header, without port and brackets. */
function hostName(header: string | undefined): string | undefined {
  const match = HOST.exec((header ?? "").toLowerCase());
  return match?.[1] ?? match?.[2];
}
