/**
 * An error that comes with an answer is made where that is read, and knows nothing of who asked. Caught by the function
 * that is awaited, its stack is taken anew there: V8 goes on with those who await. It costs nothing until a call fails.
 *
 * @returns the error itself; where stacks cannot be taken anew, as it was.
 * @example try { return await call(); } catch (error) { throw atCaller(error); }
 */
export function atCaller(error: unknown): unknown {
  if (error instanceof Error) Error.captureStackTrace?.(error, atCaller);
  return error;
}
