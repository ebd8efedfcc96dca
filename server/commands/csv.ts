/**
 * Writes and reads the CSV of RFC 4180 for spreadsheets. A cell that a spreadsheet would run as a formula begins with an
 * apostrophe. Pure.
 */

/**
 * A cell that begins with one of these characters is a formula in Excel, LibreOffice and Google Sheets. In some East Asian
 * locales, Excel reads the full-width forms in the same way. https://owasp.org/www-community/attacks/CSV_Injection
 */
const FORMULA = /^'*[=+\-@\t\r＝＋－＠]/

/** A text with apostrophes in front of a formula also gets one more apostrophe, so that `fromCell` restores every text. */
const defuse = (text: string) => (FORMULA.test(text) ? `'${text}` : text)

// In a locale with a decimal comma, a spreadsheet separates cells at semicolons, so the second part of an unquoted cell could be a formula.
const quote = (text: string) => (/[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

export const toCsvLine = (cells: string[]) => `${cells.map((cell) => quote(defuse(cell))).join(',')}\r\n`

/** The text of a cell that `toCsvLine` may have written. */
export const fromCell = (cell: string) => (cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell)
