// eachFrame makes of draw a function that may be called at any rate: draw
// then runs at the next frame, once.
export function eachFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}
