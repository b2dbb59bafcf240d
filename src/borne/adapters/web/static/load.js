/* Marks the same socket in all columns and in the table: under the pointer, touched, or focused. */
(() => {
  "use strict";
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  let marked = null;
  function mark(event) {
    const id = event.target.closest?.("[data-participant]")?.dataset.participant ?? null;
    if (id === marked) return;
    marked = id;
    sheet.replaceSync(id === null ? "" : `[data-participant="${CSS.escape(id)}"] { --mark: var(--text); --mark-row: var(--raised); }`);
  }
  for (const name of ["pointerover", "focusin", "click"]) document.addEventListener(name, mark);
})();
