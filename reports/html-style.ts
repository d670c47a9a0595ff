/** The style sheet and the small script of the HTML report. Without the script the page is complete, only not filtered. */
export const STYLE = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1c2328;--soft:#5c6a73;--line:#d8dee2;--card:#f5f7f8;--good:#1a7f4b;--bad:#c0322b;--warn:#9a6700;--blue:#1f6fb2}
@media(prefers-color-scheme:dark){:root{--bg:#14181b;--fg:#e4e9ec;--soft:#97a4ac;--line:#323a40;--card:#1c2226;--good:#4cc38a;--bad:#ff7b72;--warn:#d9a520;--blue:#6cb6ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1.5rem;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;margin:.2rem 0}h2{font-size:1.2rem;margin:2rem 0 .6rem}h3{font-size:1rem;margin:1rem 0 .4rem}
.soft{color:var(--soft)}code,pre{font:13px/1.45 ui-monospace,monospace}
pre{background:var(--card);padding:.7rem;overflow:auto;border-radius:6px}
.figures{display:flex;flex-wrap:wrap;gap:.6rem;margin:1rem 0;padding:0;list-style:none}
.figures li{background:var(--card);border-radius:6px;padding:.5rem .9rem}.figures b{display:block;font-size:1.3rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{color:var(--soft);font-weight:600}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.v{font-weight:600}.passed{color:var(--good)}.violated{color:var(--bad)}.not-live,.inconclusive{color:var(--warn)}
details{border:1px solid var(--line);border-radius:6px;padding:.5rem .9rem;margin:.6rem 0}summary{cursor:pointer}
select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:4px;padding:.2rem}
svg{width:100%;height:auto;font:11px system-ui,sans-serif}svg text{fill:var(--fg)}svg .tick{fill:var(--soft)}
.grid{stroke:var(--line)}rect.completed,circle.completed{fill:var(--good)}rect.aborted{fill:var(--bad)}rect.pending{fill:var(--soft)}
.c.completed{color:var(--good)}.c.aborted{color:var(--bad)}.c.pending{color:var(--soft)}
details.checkpoint{margin:.3rem 0;padding:.3rem .7rem}
rect.delay,.legend .delay{fill:var(--soft);background:var(--soft)}rect.align,.legend .align{fill:var(--warn);background:var(--warn)}
rect.sync,.legend .sync{fill:var(--bad);background:var(--bad)}rect.async,.legend .async{fill:var(--blue);background:var(--blue)}
rect.rest,.legend .rest{fill:var(--line);background:var(--line)}
.legend span{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .35em 0 .9em}
rect.fault{fill:var(--warn)}rect.idle{opacity:.4}.curve{fill:none;stroke:var(--good);stroke-width:1.5}
`;

export const SCRIPT = `
const filter=document.getElementById('filter');
filter.addEventListener('change',()=>{for(const row of document.querySelectorAll('tr[data-verdict]'))row.hidden=filter.value!==''&&row.dataset.verdict!==filter.value});
`;
