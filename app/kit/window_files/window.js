// Tells the page how wide the window is, in steps, so that charts are taller on a wide one; the cookie spares the next visit a second drawing.
const COOKIE = "tidemark_window", YEAR = 31536000;

export default function (component) {
  const { least, step } = component.data;
  let known = step;
  const report = () => {
    const now = least.filter((width) => window.innerWidth >= width).length;
    if (now === known) return;
    known = now;
    document.cookie = `${COOKIE}=${now}; path=/; max-age=${YEAR}; samesite=strict`;
    component.setStateValue("step", now);
  };
  report();
  window.addEventListener("resize", report);
  return () => window.removeEventListener("resize", report);
}
