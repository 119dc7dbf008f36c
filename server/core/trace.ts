/** W3C trace context: every message is a span, in the trace of the one it answers or is a part of, or in its own. */
import type { MessageState } from "./message.ts";

const HEX_ID = /^[0-9a-f]{32}$/;
const SPAN_CHARS = 16;

type Traced = Pick<MessageState, "id" | "traceparent">;

/** The message's own context, made of its id where its sender gave none; null for an adopted id that does not fit. */
export const traceOf = ({ id, traceparent }: Traced): string | null =>
  traceparent ?? (HEX_ID.test(id) ? `00-${id}-${spanOf(id)}-01` : null);

/** The context of a message that answers `origin` or is a part of it. */
export function childTrace(origin: Traced, id: string): string | null {
  const parts = traceOf(origin)?.split("-");
  return parts ? `00-${parts[1]}-${spanOf(id)}-${parts[3]}` : null;
}

const spanOf = (id: string) => id.slice(-SPAN_CHARS);
