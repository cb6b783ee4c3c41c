// This machine's clock is a day ahead; `trueTime()` is what it should say.
(() => {
  const Real = Date;
  const ahead = () => Real.now() + 86_400_000;
  globalThis.trueTime = () => Real.now();
  globalThis.Date = class extends Real {
    constructor(...given) {
      super(...(given.length ? given : [ahead()]));
    }
    static now() {
      return ahead();
    }
  };
})();
