// What the pages need of the window itself: how wide it is, in steps, so that charts are taller on a wide one (the cookie
// spares the next visit a second drawing); that a field is one stop of the Tab key; and that a click is one step back.
const COOKIE = "tidemark_window", YEAR = 31536000, MOMENT = 10000;
const FIELD = ["NumberInput", "Selectbox", "MultiSelect", "TextInput", "TextArea", "DateInput", "TimeInput", "Checkbox"].map((name) => `[data-testid=st${name}]`).join(", ");

export default function (component) {
  const { least, step } = component.data;
  let known = step, waiting = 0;
  const report = () => {
    const now = least.filter((width) => window.innerWidth >= width).length;
    if (now === known) return;
    known = now;
    document.cookie = `${COOKIE}=${now}; path=/; max-age=${YEAR}; samesite=strict`;
    component.setStateValue("step", now);
  };
  const observer = new MutationObserver(() => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(stops); });
  report();
  stops();
  oneStepBack();
  observer.observe(document.body, { childList: true, subtree: true });
  window.addEventListener("resize", report);
  document.addEventListener("keydown", toHelp);
  return () => {
    observer.disconnect();
    cancelAnimationFrame(waiting);
    window.removeEventListener("resize", report);
    document.removeEventListener("keydown", toHelp);
  };
}

function stops() {
  // Help, and the buttons that clear a field or open its calendar, are no stops: F1 goes to the help, Backspace clears, dates are typed.
  for (const button of document.querySelectorAll(`:is(${FIELD}) button`)) button.tabIndex = -1;
  for (const part of document.querySelectorAll("[data-testid=stDateInput] [role=spinbutton]")) {
    if (part.parentElement.querySelector("[role=spinbutton]") !== part) part.tabIndex = -1;     // arrow keys move between year, month and day
  }
}

function toHelp(event) {
  // F1 in a field goes to its help, which opens, and back.
  if (event.key !== "F1" || !document.activeElement) return;
  const field = document.activeElement.closest(FIELD), help = field && field.querySelector('button[aria-label^="Help for"]');
  if (!help) return;
  event.preventDefault();
  (document.activeElement === help ? field.querySelector("input, textarea, [role=spinbutton], [role=combobox]") || help : help).focus();
}

function oneStepBack() {
  // Streamlit opens a page with its query in two steps: the query beside the old path, then the new path. The first is no place to go back to.
  if (history.tidemark) return;
  const push = history.pushState.bind(history);
  let before = null;
  history.tidemark = true;
  history.pushState = (state, title, url) => {
    const here = location.pathname, next = new URL(url || "", location.href), soon = before && Date.now() - before.at < MOMENT;
    if (soon && before.stayed && next.search && next.search === before.search && next.pathname !== here) history.replaceState(state, title, url);
    else push(state, title, url);
    before = { search: next.search, stayed: next.pathname === here, at: Date.now() };
  };
}
