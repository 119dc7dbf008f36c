/** The client process of one system: it connects, subscribes, and then keeps still. */
import { LEAN, type LeanName } from "../lean/clients.ts";
import { openMany } from "../lean/lean.ts";
import { serve } from "../os/agent.ts";

const handlers = {
  async open({ system, port, first, count }: { system: LeanName; port: number; first: number; count: number }) {
    await openMany(count, (index) => LEAN[system].reader(port, first + index, () => {}));
  },
};

export type IdleClient = typeof handlers;

serve(handlers);
