import type { Hub } from "../../sdk/index.ts";
import type { Printer } from "../output/printer.ts";

/** Reports when the line to the hub is lost, and when it is back. @returns whether it is up. */
export function reportConnection(hub: Hub, print: Printer): () => boolean {
  let wasUp = true;
  hub.on("state", ({ state, transport, reason }) => {
    const isUp = transport !== undefined;
    if (isUp === wasUp || state === "closing" || state === "closed") return;
    if (!isUp && reason === undefined) return; // we changed it ourselves
    wasUp = isUp;
    print.notice(isUp ? "connected again" : `reconnecting… (${reason})`);
  });
  return () => wasUp;
}
