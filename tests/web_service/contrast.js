// The texts that can be seen, each with its contrast (WCAG 2.2, 1.4.3) to what is behind it. Texts in
// a drawing stand on their own outline where they have one.
() => {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const opaque = (color) => color !== "none" && (channels(color)[3] ?? 1) > 0;
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if (opaque(color)) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const measured = (element) => {
    const style = getComputedStyle(element);
    const drawn = element instanceof SVGElement;
    const water = element.closest(".water") && document.querySelector(".lake");
    const behind = water ? getComputedStyle(water).fill
      : drawn && opaque(style.stroke) ? style.stroke : background(element);
    const [a, b] = [luminance(drawn ? style.fill : style.color), luminance(behind)];
    const size = parseFloat(style.fontSize) * (drawn ? element.getScreenCTM().a : 1);
    return {
      text: element.textContent.trim().slice(0, 40),
      ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05),
      large: size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700),
    };
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (texts.currentNode.data.trim() && element.checkVisibility({ visibilityProperty: true })) seen.add(element);
  }
  return [...seen].filter((element) => !element.closest("script, option, noscript")).map(measured);
}
