/**
 * Noto Sans JP in about 120 pieces, of which the browser loads those whose characters it shows. Japanese characters
 * are one em wide in every font, so the page does not move when they come.
 */
import "@fontsource-variable/noto-sans-jp";
