export function makeWorkCopy(root: string, folder: string): void;
export function commitAll(folder: string, message: string): void;
