"""What follows from the ledger: the rules of reminding, with nothing else in the room.

Nothing in here reads a clock, a file or a network. Facts about one account come in with a date, a decision with its
reasons goes out, and the same facts and date always give the same decision. That is why a crash, a late run or a
second run can do no harm, and why every reminder can explain itself.
"""
