"""The sentence patterns of the demonstration, as data: words in braces are slots corpus.py fills.

A comma marks where a speaker may pause; it is spoken, never transcribed.
"""

# One phrase a line would be four hundred lines.
# fmt: off
DEMO_CALLER = (
    "hello", "hi", "hi there", "good morning", "good afternoon", "good evening", "hey", "yes", "no", "yeah",
    "yes please", "no thank you", "no thanks", "okay", "sure", "thank you", "thanks", "thank you goodbye",
    "thank you very much", "goodbye", "bye", "bye bye", "stop", "wait", "wait stop", "hold on", "hold on please",
    "yes that is correct", "that is correct", "yes that is right", "no that is not right", "that is fine",
    "sorry", "sorry can you repeat that", "can you repeat that please", "what did you say", "pardon",
    "i have a question", "what are your opening hours", "where is your clinic", "how much does it cost",
    "how much is a visit", "is there anything earlier", "is there anything later", "no that is all thank you",
    "i would like to book an appointment", "i want to book an appointment", "can i book an appointment please",
    "i would like to cancel my appointment", "i need to see a doctor", "that works for me", "sounds good",
    "i would like to book an appointment for tuesday", "tuesday at three in the afternoon please",
    "my name is maria", "my number is, five five five, one two three four", "how about next monday morning",
    "what times do you have on friday", "ten thirty works for me", "can i change it to thursday",
    "hello, i would like to book an appointment", "hi, i would like to book an appointment please",
)
DEMO_CALLER_PATTERNS = (
    "i would like to book an appointment for {date}", "i would like to book an appointment for {date} at {time}",
    "i want to book an appointment on {weekday} {part}", "can i book an appointment for {date}",
    "{date} at {time} please", "{date} at {time}", "{weekday} {part} please", "at {time} please", "{time}",
    "my name is {name}", "it is {name}", "this is {name}", "{name}", "my name is {name} {surname}",
    "what times do you have on {weekday}", "do you have anything on {weekday}", "do you have anything on {date}",
    "how about {date}", "how about {weekday} {part}", "how about next {weekday} {part}", "{time} works for me",
    "{date} works for me", "can i change it to {weekday}", "can i change it to {date} at {time}",
    "can i come in on {date} at {time}", "can i come in {date} at {time}", "{weekday} is fine", "{weekday}",
    "no i said {weekday}", "no, {weekday} at {time}", "yes, {weekday} please", "are you open on {weekday}",
    "are you open {part}", "hello, this is {name}", "hello, my name is {name}", "is {weekday} at {time} free",
    "i can not come on {weekday}", "not {weekday}, {weekday}", "do you have something in the {daypart}",
)
DEMO_AGENT = (
    "thank you for calling the demo clinic, how can i help you today", "which day would you like",
    "i have tuesday at three in the afternoon, is that good for you", "may i have your name please",
    "what is your phone number", "thank you maria, you are booked for tuesday at three in the afternoon",
    "is there anything else i can help you with", "goodbye and have a nice day", "have a nice day",
    "sorry, i did not catch that, could you say it again", "one moment please", "a visit costs fifty dollars",
    "we are open monday to friday, from nine in the morning to five in the afternoon", "what time would you like",
    "hello, thank you for calling the demo clinic", "how can i help you today", "how can i help you",
    "sorry, i did not catch that", "could you say it again", "is that correct", "what is your name please",
    "our clinic is in the city center", "thank you for calling, goodbye", "let me check that for you",
)
DEMO_AGENT_PATTERNS = (
    "i have {weekday} at {time}, is that good for you", "i have {date} at {time}, is that good for you",
    "thank you {name}, you are booked for {date} at {time}", "you are booked for {date} at {time}",
    "we are open {weekday} to {weekday}, from {clock} in the morning to {clock} in the {daypart}",
    "a visit costs {amount}", "sorry, {weekday} is full, how about {weekday}", "thank you {name}",
    "thank you {name}, what is your phone number", "would you like {weekday} or {weekday}",
    "i have {time} or {time}, which would you like", "your appointment is on {date} at {time}",
    "i have moved your appointment to {date} at {time}", "okay {name}, goodbye and have a nice day",
)
GENERAL = (
    "that is not right", "what", "i did not hear you", "i am not interested", "please call me back later",
    "do not call me again", "speak to a human please", "i want to talk to a person", "transfer me to an agent",
    "who is this", "where are you calling from", "i need some help", "can you help me", "no problem",
    "could you speak up please", "i can not hear you", "are you still there", "are you a robot", "just a moment",
    "i do not know", "maybe later", "not now", "never mind", "i am busy", "please wait", "that is great",
)
GENERAL_PATTERNS = (
    "i need some help with my {item}", "this is {name} speaking", "i want to cancel my {item}",
    "i want to change my {item} to {date}", "where is my {item}", "my {item} is {state}",
    "i can pay {amount} {date}", "i already paid {amount} on {date}", "what is the balance on my {item}",
    "when is my next {item} due", "i will pay on {date}", "i live in {city}",
    "please send it to {city} by {date}", "is the {item} still {status}", "i have a question about my {item}",
    "could you send me a {message} please", "i never got my {item}",
    "i bought a {item} last {period} and it is {state}", "let me check my {item} first",
    "can you help me with my {item} please", "{yesno}, my {item} is {state}", "press {digit}",
    "one moment please, i need to find my {item} number", "it costs {amount}", "i paid {amount} for the {item}",
    "i am calling about my {item}", "my {item} was due on {date}", "can you call me back {date} at {time}",
    "i want to speak to {name} please", "i am from {city}", "there are {digit} of us", "i have {digit} {item} here",
)
DIGIT_PATTERNS = (
    "{digits}", "{digits}", "{digits}", "{phone}", "{phone}", "my number is, {digits}", "my number is {phone}",
    "my phone number is {phone}", "my phone number is, {phone}", "the number is {digits}", "it is {digits}",
    "it is {phone}", "yes, {digits}", "yes it is {phone}", "my {item} number is {digits}",
    "the {item} number is {digits}", "you can call me on {phone}", "my number is {phone} thank you",
    "please call me back on {phone}", "no, it is {digits}", "so your number is {phone}, is that correct",
    "i have your number as {phone}", "the code is {digits}", "press {digits}",
)

BACKCHANNELS = (
    "okay", "okay", "yeah", "yeah", "yes", "right", "right", "i see", "i see", "sure", "uh huh", "uh huh", "mhm",
    "mhm", "mm hmm", "hmm", "hmm", "um", "um", "uh", "uh", "oh", "ah", "oh okay", "oh i see", "okay okay", "got it",
    "yeah yeah", "all right", "great", "good", "really", "um yes", "uh yes", "um no", "well", "well um", "so", "no",
    "fine",
)
INTERRUPTIONS = (
    "stop", "stop", "stop stop", "wait", "wait", "wait wait", "wait a second", "wait a moment", "wait a minute",
    "hold on", "hold on a second", "excuse me", "excuse me", "no no", "no no no", "no wait", "no stop", "stop please",
    "sorry",
    "just a second", "one second", "one second please", "hang on", "hello hello", "that is enough", "stop talking",
    "wait please", "but wait", "sorry what", "no that is wrong", "please stop", "actually no", "actually wait",
)
MACHINES = (
    "please leave a message after the tone", "leave a message after the beep", "please leave your name and number",
    "please leave your name and number after the tone", "record your message after the tone", "please try again later",
    "the number you have dialled is not in service", "the number you have dialled is not correct",
    "the number you have called is not available", "the person you are calling is not available",
    "i am not available to take your call", "is not available to take your call", "we can not take your call right now",
    "sorry i can not come to the phone right now", "i will call you back", "please check the number and call again",
    "please hold", "please hold the line", "all our agents are busy", "your call is important to us",
    "to speak to an agent press zero", "press one for an appointment", "press two for your bill",
    "to repeat this menu press nine", "press three to speak to a human", "please call again later",
    "i am busy and can not come to the phone", "please send a message and i will call you", "the mailbox is full",
    "please check the number", "the number is not available", "at the tone please record your message",
    "hello, you have reached my voice mail", "this call may be recorded", "thank you for calling the demo clinic",
)
MACHINE_PATTERNS = (
    "you have reached the voice mailbox of {name}", "you have reached the voice mailbox of {name} {surname}",
    "you have reached {name}", "hi you have reached {name}, please leave a message", "{name} is not available",
    "{name} is not available to take your call", "for sales press {digit}", "for {item} press {digit}",
    "press {digit} for {item}", "press {digit} to speak to an agent", "to speak to {name} press {digit}",
    "the number {digits} is not in service", "hello this is {name}, please leave a message after the tone",
)
LEAD_INS = ("um", "uh", "well", "so", "okay", "yes", "no", "oh", "okay so", "actually", "hi", "hello")
JOINTS = ("and", "and", "and", "but", "so", "", "", "")
LOOSE_ENDS = ("and", "and", "and", "but", "or", "so", "because", "um", "uh")
OPEN_ENDS = frozenset(
    "to and my is for the a an on at in i you would like can have your number name with of about it do what was".split()
)
PHONEMES = {
    "mhm": ("[[m@h'@m]]", "[[@mh'@m]]", "[[m'@hm]]", "mhm"),
    "mm hmm": ("[[@mh'@m]]", "[[m'h@m]]", "[[m: h'@m]]"),
    "uh huh": ("uh huh", "[[@h'V]]", "[[Vh'V]]"),
    "hmm": ("hmm", "[[h'@m:]]", "[[h@m]]"),
    "um": ("um", "[[V:m]]", "[[@m:]]"),
    "uh": ("uh", "[[V:]]", "[[@:]]"),
    "ah": ("ah", "[[A:]]"),
}  # what is no word in espeak-ng's dictionary is spelled out, so how people say it is written in its phonemes

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
          "november", "december")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
            "eleventh", "twelfth", "thirteenth", "fifteenth", "twentieth", "twenty first", "thirtieth")
ROUND_NUMBERS = ("ten", "fifteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
                 "hundred", "thousand", "one hundred", "twenty five")
MINUTES = ("thirty", "fifteen", "forty five", "o'clock", "twenty", "ten")
DAYPARTS = ("morning", "afternoon", "evening")

WORDS = {
    "name": ("john", "mary", "david", "sarah", "michael", "anna", "peter", "laura", "robert", "emma", "james",
             "priya", "rahul", "maria", "maria", "carlos", "anita", "alex", "sam", "lucy", "tom", "susan"),
    "surname": ("smith", "jones", "brown", "garcia", "miller", "wilson", "taylor", "lee", "patel", "martin"),
    "item": ("order", "appointment", "delivery", "payment", "account", "invoice", "subscription", "refund",
             "booking", "ticket", "loan", "policy", "phone", "laptop", "package", "bill", "card"),
    "state": ("late", "wrong", "broken", "missing", "new", "old", "cheap", "expensive", "good", "bad", "ready",
              "urgent"),
    "city": ("london", "paris", "delhi", "mumbai", "boston", "chicago", "dallas", "berlin", "sydney", "toronto"),
    "status": ("available", "open", "ready", "active"),
    "message": ("text message", "message", "link", "email"),
    "period": ("week", "month", "year"),
    "yesno": ("yes", "no"),
    "currency": ("dollars", "rupees", "pounds", "euros", "dollars"),
    "digit": DIGITS,
    "clock": HOURS,
    "weekday": WEEKDAYS,
    "daypart": DAYPARTS,
}
