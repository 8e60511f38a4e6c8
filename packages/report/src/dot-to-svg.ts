import { Graphviz } from '@hpcc-js/wasm-graphviz';

let loaded: Promise<Graphviz> | undefined;

/**
 * Draws a Graphviz DOT text as an `<svg>` element that may stand in a page: no XML head, no comments, no tooltips.
 * Throws what Graphviz says when the text is not DOT.
 */
export async function dotToSvg(dot: string): Promise<string> {
  loaded ??= Graphviz.load();
  const drawn = (await loaded).layout(dot, 'svg', 'dot');
  return drawn
    .slice(drawn.indexOf('<svg'))
    .replace(/<!--[\s\S]*?-->\n?/g, '')
    .replace(/<title>[\s\S]*?<\/title>\n?/g, '')
    .replace(/ xmlns:xlink="[^"]*"/, '')
    .trim();
}
