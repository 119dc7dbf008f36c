/** Who is calling, as the transport found out. */
export interface Client {
  readonly claude_id: string | null;
  readonly run: string | null;
  /** Aborted when the caller can no longer be answered. */
  readonly gone?: AbortSignal;
}
