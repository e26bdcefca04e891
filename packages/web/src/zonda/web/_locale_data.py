"""What languages are called, in English and by those who speak them, by locale code."""

_TABLE = """
af_ZA|Afrikaans|Afrikaans
am_ET|Amharic|አማርኛ
ar_AR|Arabic|العربية
az_AZ|Azerbaijani|Azərbaycan dili
be_BY|Belarusian|Беларуская
bg_BG|Bulgarian|Български
bn_IN|Bengali|বাংলা
bs_BA|Bosnian|Bosanski
ca_ES|Catalan|Català
cs_CZ|Czech|Čeština
cy_GB|Welsh|Cymraeg
da_DK|Danish|Dansk
de_AT|German (Austria)|Deutsch (Österreich)
de_CH|German (Switzerland)|Deutsch (Schweiz)
de_DE|German|Deutsch
el_GR|Greek|Ελληνικά
en_AU|English (Australia)|English (Australia)
en_CA|English (Canada)|English (Canada)
en_GB|English (UK)|English (UK)
en_US|English (US)|English (US)
eo_EO|Esperanto|Esperanto
es_ES|Spanish (Spain)|Español (España)
es_LA|Spanish|Español
es_MX|Spanish (Mexico)|Español (México)
et_EE|Estonian|Eesti
eu_ES|Basque|Euskara
fa_IR|Persian|فارسی
fi_FI|Finnish|Suomi
fr_CA|French (Canada)|Français (Canada)
fr_FR|French|Français
ga_IE|Irish|Gaeilge
gl_ES|Galician|Galego
gu_IN|Gujarati|ગુજરાતી
he_IL|Hebrew|עברית
hi_IN|Hindi|हिन्दी
hr_HR|Croatian|Hrvatski
hu_HU|Hungarian|Magyar
hy_AM|Armenian|Հայերեն
id_ID|Indonesian|Bahasa Indonesia
is_IS|Icelandic|Íslenska
it_IT|Italian|Italiano
ja_JP|Japanese|日本語
ka_GE|Georgian|ქართული
kk_KZ|Kazakh|Қазақша
km_KH|Khmer|ភាសាខ្មែរ
kn_IN|Kannada|ಕನ್ನಡ
ko_KR|Korean|한국어
lt_LT|Lithuanian|Lietuvių
lv_LV|Latvian|Latviešu
mk_MK|Macedonian|Македонски
ml_IN|Malayalam|മലയാളം
mn_MN|Mongolian|Монгол
mr_IN|Marathi|मराठी
ms_MY|Malay|Bahasa Melayu
nb_NO|Norwegian (bokmal)|Norsk (bokmål)
ne_NP|Nepali|नेपाली
nl_BE|Dutch (Belgium)|Nederlands (België)
nl_NL|Dutch|Nederlands
nn_NO|Norwegian (nynorsk)|Norsk (nynorsk)
pa_IN|Punjabi|ਪੰਜਾਬੀ
pl_PL|Polish|Polski
pt_BR|Portuguese (Brazil)|Português (Brasil)
pt_PT|Portuguese (Portugal)|Português (Portugal)
ro_RO|Romanian|Română
ru_RU|Russian|Русский
si_LK|Sinhala|සිංහල
sk_SK|Slovak|Slovenčina
sl_SI|Slovenian|Slovenščina
sq_AL|Albanian|Shqip
sr_RS|Serbian|Српски
sv_SE|Swedish|Svenska
sw_KE|Swahili|Kiswahili
ta_IN|Tamil|தமிழ்
te_IN|Telugu|తెలుగు
th_TH|Thai|ภาษาไทย
tl_PH|Filipino|Filipino
tr_TR|Turkish|Türkçe
uk_UA|Ukrainian|Українська
ur_PK|Urdu|اردو
uz_UZ|Uzbek|O'zbekcha
vi_VN|Vietnamese|Tiếng Việt
zh_CN|Chinese (Simplified)|中文(简体)
zh_HK|Chinese (Hong Kong)|中文(香港)
zh_TW|Chinese (Traditional)|中文(繁體)
"""

#: Locale code -> ``name_en``, its name in English, and ``name``, its own name for itself.
LOCALE_NAMES: dict[str, dict[str, str]] = {
    code: {"name_en": english, "name": native}
    for code, english, native in (line.split("|") for line in _TABLE.strip().splitlines())
}
