import { afterEach, describe, expect, it } from 'vitest';
import { ToolDesk } from './tool-desk.ts';

let desk: ToolDesk;
afterEach(() => desk.close());

const filler = (count: number) =>
  Array.from({ length: count }, (_, at) => `const row${at} = ${at};`).join('\n');

describe('codebase_search', () => {
  it('ranks the place that has most to do with the words first, by parts of names', async () => {
    desk = new ToolDesk({
      'src/auth/session.ts': `${filler(60)}\nexport function createSessionToken(user: User) {\n  return sign(user);\n}\n`,
      'src/billing.ts': `${filler(30)}\n// a user pays\n`,
      'src/token-list.ts': 'export const tokens = [];\n',
      'node_modules/x/session.ts': 'createSessionToken user session token\n',
    });
    const text = await desk.text('codebase_search', { query: 'creating a session token for users' });
    expect(text).toMatch(/^src\/auth\/session\.ts:\d+-\d+ \(score/);
    expect(text).toContain('61 | export function createSessionToken(user: User) {');
    expect(text).not.toContain('node_modules');
  });

  it('looks below a folder alone, and says when nothing fits', async () => {
    desk = new ToolDesk({ 'src/a.ts': 'cache\n', 'lib/b.ts': 'cache\n' });
    const text = await desk.text('codebase_search', { query: 'caching', path: 'lib' });
    expect(text).toMatch(/^lib\/b\.ts:1-/);
    expect(text).not.toContain('src/a.ts');
    expect(await desk.text('codebase_search', { query: 'zebra' })).toBe(
      '(nothing has to do with these words)',
    );
  });

  it('passes over what is no text, and keeps a file that repeats itself from filling the answer', async () => {
    desk = new ToolDesk({
      'src/bin': `lease\u0000`,
      'src/many.ts': `${'lease\n'.repeat(400)}`,
      'src/one.ts': 'lease\n',
    });
    const text = await desk.text('codebase_search', { query: 'lease' });
    expect(text.match(/^src\/many/gm)).toHaveLength(2);
    expect(text).toContain('src/one.ts');
    expect(text).not.toContain('src/bin');
  });
});
