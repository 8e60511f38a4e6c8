/** Modes do not bind root. */
export async function asOrdinaryUser(work: () => Promise<void> | void): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
