/** The page's style sheet: light and dark by the reader's setting, one column on a phone, plain on paper. */
export const pageStyle = `
:root { color-scheme: light dark;
  --bg: #f6f7f9; --card: #ffffff; --text: #1b2130; --soft: #5b6474; --line: #e2e6ec; --code: #f1f3f6;
  --idle: #6b7280; --active: #2563eb; --good: #15803d; --bad: #c02626; --dim: #8a93a1; --person: #b45309;
  --idle-bg: #eef0f3; --active-bg: #e0ecff; --good-bg: #def7e6; --bad-bg: #fde5e5; --dim-bg: #eceff2; --person-bg: #fdf1d3;
  --work: #3b82f6; --review: #8b5cf6; --merge: #14a26a; --wait: #e0a326; }
@media (prefers-color-scheme: dark) { :root {
  --bg: #10141b; --card: #181e28; --text: #e4e8ef; --soft: #98a3b5; --line: #2a3240; --code: #212937;
  --idle: #98a3b5; --active: #7fb0ff; --good: #5fd48d; --bad: #ff8a8a; --dim: #7d8899; --person: #f3bd5c;
  --idle-bg: #232b38; --active-bg: #1b2f52; --good-bg: #15372a; --bad-bg: #46202a; --dim-bg: #222a36; --person-bg: #40321a;
  --work: #5b95f5; --review: #a585f7; --merge: #2fb982; --wait: #d9a441; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; -webkit-text-size-adjust: 100%; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.015em; overflow-wrap: anywhere; }
h2 { font-size: 1.12rem; margin: 34px 0 10px; letter-spacing: -0.01em; }
h3 { font-size: 0.95rem; margin: 18px 0 6px; }
p { margin: 6px 0; }
a { color: var(--active); text-decoration: none; } a:hover { text-decoration: underline; }
code, pre { font: 0.86em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
code { background: var(--code); padding: 0.1em 0.35em; border-radius: 4px; overflow-wrap: anywhere; }
pre { background: var(--code); padding: 10px 12px; border-radius: 8px; margin: 8px 0; overflow: auto; max-height: 420px; white-space: pre-wrap; overflow-wrap: anywhere; }
pre code { background: none; padding: 0; font-size: inherit; }
.soft { color: var(--soft); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px 18px; }
.hero { border-left: 5px solid var(--tone, var(--idle)); }
.hero .verdict { display: inline-block; font-weight: 650; color: var(--tone); background: var(--tone-bg); padding: 2px 11px; border-radius: 999px; margin-bottom: 10px; }
.hero .headline { font-size: 1.05rem; margin: 0 0 14px; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 8px 22px; margin: 0; }
.facts div { min-width: 0; } .facts dt { color: var(--soft); font-size: 0.8rem; } .facts dd { margin: 0; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(104px, 1fr)); gap: 10px; margin: 14px 0 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 10px 14px; }
.tile b { display: block; font-size: 1.45rem; line-height: 1.2; font-weight: 650; font-variant-numeric: tabular-nums; color: var(--tone, inherit); }
.tile span { color: var(--soft); font-size: 0.82rem; }
.banner { border: 2px solid var(--bad); background: var(--bad-bg); border-radius: 12px; padding: 12px 16px; margin: 14px 0 0; }
.banner b { color: var(--bad); }
.trouble { border-left: 5px solid var(--bad); margin: 0 0 10px; }
.trouble ul { margin: 8px 0 0; padding-left: 20px; }
.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; }
.scroll > svg { display: block; max-width: none; }
.graph svg { margin: 0 auto; }
.graph svg text { fill: var(--text); font-family: inherit; }
.graph .arrow path { stroke: var(--dim); } .graph .arrow polygon { stroke: var(--dim); fill: var(--dim); }
.graph .node path, .graph .node polygon, .graph .node ellipse { stroke: var(--tone); fill: var(--tone-bg); stroke-width: 1.2; }
.tone-idle { --tone: var(--idle); --tone-bg: var(--idle-bg); } .tone-active { --tone: var(--active); --tone-bg: var(--active-bg); }
.tone-good { --tone: var(--good); --tone-bg: var(--good-bg); } .tone-bad { --tone: var(--bad); --tone-bg: var(--bad-bg); }
.tone-dim { --tone: var(--dim); --tone-bg: var(--dim-bg); } .tone-person { --tone: var(--person); --tone-bg: var(--person-bg); }
.timeline { min-width: 760px; width: 100%; height: auto; }
.timeline text { fill: var(--text); font-size: 12px; font-family: inherit; } .timeline .tick { fill: var(--soft); font-size: 11px; text-anchor: middle; }
.timeline .label { text-anchor: end; } .timeline .worker { fill: var(--soft); } .timeline .grid { stroke: var(--line); stroke-width: 1; }
.timeline .end { fill: var(--tone); font-weight: 700; }
.seg-queued { fill: var(--dim); opacity: 0.55; } .seg-work { fill: var(--work); } .seg-review { fill: var(--review); } .seg-person { fill: var(--wait); } .seg-merge { fill: var(--merge); } .seg-busy { fill: var(--work); opacity: 0.6; }
.timeline .rejected { stroke: var(--bad); stroke-width: 2; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--soft); font-size: 0.82rem; padding: 8px 0 0; margin: 0; list-style: none; }
.legend li { display: flex; align-items: center; gap: 6px; } .legend svg { flex: none; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 0.8rem; } th, td { padding: 6px 10px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: anywhere; } td.number, th.number { text-align: right; padding-right: 22px; font-variant-numeric: tabular-nums; white-space: nowrap; } tr:last-child td { border-bottom: 0; } td:first-child { min-width: 7.5em; }
.pill { display: inline-block; color: var(--tone); background: var(--tone-bg); border-radius: 999px; padding: 0 9px; font-size: 0.82rem; font-weight: 600; white-space: nowrap; }
details.task { background: var(--card); border: 1px solid var(--line); border-radius: 12px; margin: 0 0 8px; }
details.task > summary { padding: 11px 16px; cursor: pointer; display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 12px; list-style: none; }
details.task > summary::-webkit-details-marker { display: none; }
details.task > summary::before { content: "▸"; color: var(--soft); } details.task[open] > summary::before { content: "▾"; }
details.task > summary .name { font-weight: 600; overflow-wrap: anywhere; } details.task > summary .soft { font-size: 0.86rem; }
details.task > div { padding: 0 16px 14px; border-top: 1px solid var(--line); }
details.task:target { outline: 2px solid var(--active); }
.attempt { border-left: 3px solid var(--line); padding-left: 14px; margin: 12px 0; }
.receipt { margin: 6px 0; } .receipt summary { cursor: pointer; } .receipt.flat { padding-left: 1.05em; }
.ok { color: var(--good); font-weight: 700; } .no { color: var(--bad); font-weight: 700; }
.finding { border-left: 3px solid var(--tone); background: var(--tone-bg); border-radius: 0 8px 8px 0; padding: 7px 12px; margin: 7px 0; }
.finding .pill { background: var(--card); } .finding code { background: var(--card); } .finding .where { font-size: 0.86rem; } .finding p { margin: 2px 0; }
.finding pre.excerpt { background: var(--card); padding: 6px 0; max-height: none; white-space: pre; overflow-x: auto; }
.excerpt span { display: block; padding: 0 10px; } .excerpt i { display: inline-block; min-width: 3.2em; padding-right: 1em; text-align: right; color: var(--soft); font-style: normal; user-select: none; }
.excerpt .hit { background: var(--tone-bg); box-shadow: inset 3px 0 var(--tone); }
h3.file { overflow-wrap: anywhere; }
ol.history { font-size: 0.88rem; padding-left: 20px; } ol.history li { margin: 2px 0; }
footer { color: var(--soft); font-size: 0.82rem; margin-top: 36px; }
@media (max-width: 640px) { main { padding: 16px 12px 40px; } .card { padding: 13px 13px; } h1 { font-size: 1.35rem; } .wide { display: none; } }
@media print { body { background: none; } .card, details.task, .tile { break-inside: avoid; } pre { max-height: none; } }
`.trim();
