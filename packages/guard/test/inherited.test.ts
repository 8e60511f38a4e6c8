import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { bundle } from './corpus/other-user.ts';
import { useScene } from './scene.ts';

const scene = useScene();
const entry = fileURLToPath(new URL('corpus/show-descriptors.ts', import.meta.url));
/** Far above those that a command is handed. */
const number = 100;

it('a folder that whoever started the daemon left open is no way out', async () => {
  const program = await bundle(entry);
  const folder = openSync(scene.outside, 'r');
  try {
    const child = spawn(process.execPath, [program.path], {
      stdio: ['ignore', 'pipe', 'inherit', ...Array<'ignore'>(number - 3).fill('ignore'), folder],
    });
    let said = '';
    child.stdout?.on('data', (text: Buffer) => (said += text.toString()));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(said).toMatch(/\nEND\n$/);
    expect(said).not.toContain('SECRET');
    expect(said).not.toContain(scene.outside);
    expect(code).toBe(0);
  } finally {
    closeSync(folder);
    program.remove();
  }
});
