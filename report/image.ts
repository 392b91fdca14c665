/**
 * Makes a drawing a single image for screen readers: with a name for the whole, and none for its parts. Observable Plot names
 * the groups inside it ('rect', 'line'), which ARIA does not allow on elements without a role.
 */
export function asImage<Chart extends Element>(chart: Chart): Chart {
  const drawings = chart instanceof SVGSVGElement ? [chart] : chart.querySelectorAll('svg')
  for (const drawing of drawings) {
    for (const part of drawing.querySelectorAll('[aria-label]')) {
      part.removeAttribute('aria-label')
      part.removeAttribute('aria-description')
    }
    // The swatch of a legend adds nothing to the text beside it.
    if (drawing.hasAttribute('aria-label')) drawing.setAttribute('role', 'img')
    else drawing.setAttribute('aria-hidden', 'true')
  }
  return chart
}
