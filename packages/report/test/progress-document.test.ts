import { describe, expect, it } from 'vitest';
import { mergeProgress } from '@switchyard/report';

const a = { key: 'run/a', text: '### a\n\n- State: running' };
const b = { key: 'run/b', text: '### b' };
const done = { key: 'run/a', text: '### a\n\n- State: done' };

describe('a progress document', () => {
  it('begins with our sections where there is none, and has nothing to change when asked again', () => {
    const first = mergeProgress('', [a, b]);
    expect(first.text).toMatch(
      /^<!-- switchyard run%2Fa is=[0-9a-f]{16} -->\n### a[^]*### b\n<!-- \/switchyard -->\n\n/,
    );
    expect(mergeProgress(first.text, [a, b])).toEqual({ text: first.text, kept: [] });
  });

  it('leaves every byte that is not ours where it is', () => {
    const before = '# Ours  \n\n\tnotes of a person ✓\n';
    const first = mergeProgress(before, [a]).text;
    expect(first.startsWith(before)).toBe(true);
    const own = `${first}\nmore of a person\n`.replace('### a', '### a');
    const next = mergeProgress(own, [done, b]).text;
    expect(next.startsWith(before)).toBe(true);
    expect(next.endsWith('\nmore of a person\n')).toBe(true);
    expect(next).toContain('- State: done');
    expect(next.indexOf('### b')).toBeGreaterThan(next.indexOf('### a'));
  });

  it('leaves a section that a person has changed, and says so once it would say something else', () => {
    const first = mergeProgress('', [a, b]).text;
    const changed = first.replace('- State: running', '- State: running (I stopped it)');
    expect(mergeProgress(changed, [done, b])).toEqual({ text: changed, kept: ['run/a'] });
  });

  it('does not put back what a person took out', () => {
    const first = mergeProgress('', [a, b]).text;
    const without = first.replace(/<!-- switchyard run%2Fa[^]*?\/switchyard -->\n\n/, '');
    expect(without).not.toContain('### a');
    const { text, kept } = mergeProgress(without, [done, b]);
    expect(text).toBe(without);
    expect(kept).toEqual(['run/a']);
  });

  it('may be moved about, and keeps its line ends', () => {
    const first = mergeProgress('', [a]).text;
    const dos = `# Title\r\n\r\n${first.replaceAll('\n', '\r\n')}\r\nend\r\n`;
    const next = mergeProgress(dos, [done]).text;
    expect(next).toBe(
      dos.replace('running', 'done').replace(/is=[0-9a-f]{16}/, /is=[0-9a-f]{16}/.exec(next)?.[0] ?? ''),
    );
  });

  it('is not ended early by what a run says', () => {
    const evil = {
      key: 'run/a --> x',
      text: '### a\n<!-- /switchyard -->\n<!-- switchyard run%2Fb is=0000000000000000 -->',
    };
    const first = mergeProgress('', [evil]).text;
    expect(first.match(/<!-- \/switchyard -->/g)).toHaveLength(1);
    expect(mergeProgress(first, [evil])).toEqual({ text: first, kept: [] });
  });
});
