/**
 * An error built from a response has the frame reader's stack, not the caller's. Re-captured in the awaited function,
 * it gets the async frames of whoever awaits it. It costs nothing until a call fails.
 *
 * @returns the error itself; unchanged where stacks cannot be captured.
 * @example try { return await call(); } catch (error) { throw atCaller(error); }
 */
export function atCaller(error: unknown): unknown {
  if (error instanceof Error) Error.captureStackTrace?.(error, atCaller);
  return error;
}
