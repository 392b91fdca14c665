interface SavePicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>
}

/** A file to stream into. Undefined if the browser has no such picker, null if the user closed it. */
export async function pickFile(suggestedName: string): Promise<FileSystemFileHandle | undefined | null> {
  const { showSaveFilePicker } = window as SavePicker
  if (showSaveFilePicker === undefined) return undefined
  try {
    return await showSaveFilePicker({ suggestedName })
  } catch (error) {
    if ((error as Error).name === 'AbortError') return null
    throw error
  }
}

export function download(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
