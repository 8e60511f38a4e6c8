import type { SgNode } from '@ast-grep/napi';
import type { TestFact } from './file-facts.ts';
import { endLineOf, isWithin, lineOf, nodesOf, shortText, stringOf } from './nodes.ts';

const callee = /^(?<mark>[xf])?(?<word>it|test|specify|describe|suite|context)(?<more>(?:\.\w+)*)/;
const assertionsMax = 500;

interface Block {
  readonly node: SgNode;
  readonly title: string;
  readonly isGroup: boolean;
  readonly state: TestFact['state'];
}

/** The tests of a file in the dialect of Jest, Vitest, Mocha, node:test and their like. */
export function readTests(root: SgNode): TestFact[] {
  const blocks = nodesOf(root, 'call_expression').flatMap(asBlock);
  const groups = blocks.filter((block) => block.isGroup);
  return blocks
    .filter((block) => !block.isGroup)
    .map((block) => {
      const around = groups.filter((group) => isWithin(block.node, group.node));
      const states = [...around, block].map(({ state }) => state);
      return {
        title: [...around, block].map(({ title }) => title).join(' > '),
        line: lineOf(block.node),
        endLine: endLineOf(block.node),
        state: states.includes('skipped') ? 'skipped' : states.includes('focused') ? 'focused' : 'active',
        assertions: assertionsIn(block.node),
      };
    });
}

function asBlock(node: SgNode): Block[] {
  const found = callee.exec(node.field('function')?.text() ?? '');
  const title = stringOf(node.field('arguments')?.child(1) ?? null);
  if (found?.groups === undefined || title === undefined) return [];
  const { mark, word = '', more = '' } = found.groups;
  const isSkipped = mark === 'x' || /\.(skip|todo|fails?)\b/.test(more);
  const isFocused = mark === 'f' || /\.only\b/.test(more);
  return [
    {
      node,
      title: shortText(title),
      isGroup: ['describe', 'suite', 'context'].includes(word),
      state: isSkipped ? 'skipped' : isFocused ? 'focused' : 'active',
    },
  ];
}

function assertionsIn(test: SgNode): TestFact['assertions'] {
  const calls = test.findAll({
    rule: {
      kind: 'call_expression',
      has: {
        field: 'function',
        regex:
          '^(expect(\\.\\w+)?|(chai\\.)?assert(\\.\\w+)*|t\\.(is|not|like|deepEqual|true|false|throws\\w*|equal|same|ok))$',
      },
    },
  });
  return calls.slice(0, assertionsMax).map((call) => {
    const name = call.field('function')?.text() ?? '';
    const given = (call.field('arguments')?.children() ?? []).filter((child) => child.isNamed());
    if (!name.startsWith('expect'))
      return {
        subject: shortText(given[0]?.text() ?? ''),
        claim: shortText(
          `${name}(${given
            .slice(1)
            .map((one) => one.text())
            .join(', ')})`,
        ),
      };
    const whole = chainOf(call).text();
    return { subject: shortText(given[0]?.text() ?? ''), claim: shortText(whole.slice(call.text().length)) };
  });
}

/** `expect(a)` with all that is called on it. */
function chainOf(call: SgNode): SgNode {
  let node = call;
  for (let parent = node.parent(); parent !== null; parent = node.parent()) {
    const kind = String(parent.kind());
    const isFirst = parent.range().start.index === node.range().start.index;
    if (!isFirst || (kind !== 'member_expression' && kind !== 'call_expression')) break;
    node = parent;
  }
  return node;
}
