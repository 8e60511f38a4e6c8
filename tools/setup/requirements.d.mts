export function requireNode(version?: string): void;
export function requireGit(): void;
export function requireSandbox(say: (line: string) => void): void;
