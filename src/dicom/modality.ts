/** The modalities that DICOM defines (PS3.3 C.7.3.1.1.1), the retired ones too: devices outlive editions. */
const modalities = new Set(
  [
    'ANN AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD IO IOL IVOCT',
    'IVUS KER KO LEN LS M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG',
    'RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF STAIN TEXTUREMAP TG US VA',
    'XA XAPROTOCOL XC',
    'AS CD CF CP CS DD DF DM DS EC FA FS LP MA MS OPR ST VF',
  ].flatMap((line) => line.split(' ')),
)

/** Whether it is a defined term of (0008,0060). The terms may be extended: another one is unusual, not wrong. */
export function isModality(code: string): boolean {
  return modalities.has(code)
}
