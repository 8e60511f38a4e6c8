/** Waits. The clock's own timers let a process end; here nothing else may be going on. */
export function keptAwake(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
