/**
 * The words of a text, for the search. Chinese has no spaces between them: a dictionary finds where they end.
 *
 * The page gets this function as text, so it uses nothing outside itself.
 */
export function tokenize(text) {
  const pieces = text.split(/[\n\r\p{Z}\p{P}]+/u);
  return pieces.flatMap((piece) => {
    if (!/\p{Script=Han}/u.test(piece)) return piece;
    if (typeof Intl.Segmenter !== "function") return Array.from(piece);
    return Array.from(new Intl.Segmenter("zh", { granularity: "word" }).segment(piece), ({ segment }) => segment);
  });
}
